"""I2L-MeshNet (ECCV 2020) for MMPose 1.x: 3D human pose and mesh by lixel heatmaps."""

__version__ = '0.1.0'
