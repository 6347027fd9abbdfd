"""SMPL's bodies: put the files of SMPL and Human3.6M's regressor where this says, or change it here for all configs."""

smpl = dict(kind='body', path='body_models/smpl/SMPL_NEUTRAL.pkl')
smpl_by_gender = dict(
    m=dict(path='body_models/smpl/SMPL_MALE.pkl'),
    f=dict(path='body_models/smpl/SMPL_FEMALE.pkl'),
)
smpl_h36m = dict(  # for metrics whose joints are Human3.6M's
    smpl, regressor_files=dict(h36m_17='body_models/J_regressor_h36m_correct.npy')
)
