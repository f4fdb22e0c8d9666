"""Operations: long work that somebody may watch."""
