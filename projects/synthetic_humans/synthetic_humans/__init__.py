"""Synthetic people and hands with exact meshes: pose, dress, light, photograph."""
