"""The pets that the book draws; read on from `pictures.draw_picture`."""
