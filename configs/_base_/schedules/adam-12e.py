"""The paper's recipe (section 4): Adam, 1e-4 for a batch of 48, 12 epochs, divided by 10 at epoch 10."""

train_cfg = dict(by_epoch=True, max_epochs=12, val_interval=1)
val_cfg = dict()
test_cfg = dict()

optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[10], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=48)
