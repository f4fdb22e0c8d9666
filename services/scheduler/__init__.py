"""Time: sends what is due, fires what recurs, finds what was forgotten, parks what died, prunes what is done."""
