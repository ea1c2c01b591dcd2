"""What becomes of recordings once they are written: how files roll over, what is found again, what is deleted."""
