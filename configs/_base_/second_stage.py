"""Parameters from a frozen network ("+ SMPL regress", Table 6): ingredients of the configs `*_smpl.py` and `*_mano.py`.

They train the regressor alone, 5 more epochs, and need the first stage's checkpoint: --cfg-options load_from=FILE. The
paper says no more of the recipe than that it follows GraphCMR; learning rate and its drop are the first stage's, for the
release goes on with its epochs and drops 5 later. Both meshes are reported: joint/... and param_joint/...
"""

second_stage_model = dict(
    type='MeshToParametersEstimator',
    backbone=dict(init_cfg=None),  # the checkpoint has all weights: nothing is downloaded
    mesh_backbone=dict(init_cfg=None),
    parameter_regressor=dict(type='ParameterRegressor'),
    parameter_loss=dict(type='ParameterLoss'),
    joint_loss=dict(type='CoordinateL1Loss'),
)
# The release compares axis-angle vectors, and starts from other weights.
second_stage_release_model = dict(
    second_stage_model,
    parameter_regressor=dict(
        type='ParameterRegressor', init_cfg=[dict(type='Normal', std=0.01, layer='Linear')]
    ),
    parameter_loss=dict(type='ParameterLoss', pose_form='axis_angle'),
)
second_stage_optimizer = dict(constructor='TrainedParametersConstructor')
second_stage_schedule = [dict(type='MultiStepLR', milestones=[3], gamma=0.1, by_epoch=True)]
second_stage_hooks = [dict(type='EpochSeedHook'), dict(type='FirstStageHook')]
