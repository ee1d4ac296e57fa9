"""One file a picture: what it runs, and how it draws what came out. See book/pictures.py."""
