"""Behind the doors to the data: photographs, folders, drawn pets, splits."""
