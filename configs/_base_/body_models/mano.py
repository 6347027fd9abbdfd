"""MANO's right hands: put its file where this says, or change it here for all configs.

Finger tips are as FreiHAND annotates and scores them.
"""

mano = dict(kind='hand', path='body_models/mano/MANO_RIGHT.pkl', finger_tips='freihand')
