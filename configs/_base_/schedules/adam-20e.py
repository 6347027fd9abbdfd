"""RootNet's recipe (Moon et al., ICCV 2019): Adam, 1e-3 for a batch of 128, 20 epochs, divided by 10 at epoch 17."""

train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=1)
val_cfg = dict()
test_cfg = dict()

optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[17], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=128)
