"""Print the platform's errors as docs/platform-errors.md shows them: `python -m shared.instagram`."""

from shared.instagram.errors_page import errors_page

if __name__ == "__main__":
    print(errors_page())
