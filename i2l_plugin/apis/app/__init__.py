"""The web page: a picture or a short clip goes in, its people come out as meshes to look at."""
