"""Behind `load_pets`: photographs, folders and drawn pets, cut into splits."""
