"""The pets that the book draws; read on from `composition.draw_picture`."""
