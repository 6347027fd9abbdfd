"""The release's network in plain PyTorch, written from its description, with its tensor names.

ResNet-50 v1.5; three up-samplings; Gaussian volume of Eq. 3 built in full, channel j * 64 + z,
after F~_P; soft-argmax; parameters of a body model from the joints of the mesh. Weights and BN
statistics are random, scaled so that heatmaps are neither flat nor single peaks.
Shapes: B batch, N points, P posed joints, D = 64 lixels.
"""

import math

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import nn

SIZES = {'body': (29, 6890, 24), 'hand': (21, 778, 16)}  # joints, vertices, posed joints
D = 64


class Bottleneck(nn.Module):
    """1x1, 3x3 (which strides, as in v1.5), 1x1, and the shortcut."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        if inputs != 4 * width or stride > 1:
            shortcut = nn.Conv2d(inputs, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * width))

    def forward(self, x):
        shortcut = self.downsample(x) if hasattr(self, 'downsample') else x
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for i, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)]):
            layer = nn.Sequential()
            for block in range(blocks):
                layer.append(Bottleneck(inputs, width, 2 if i and not block else 1))
                inputs = 4 * width
            setattr(self, f'layer{i + 1}', layer)

    def stem(self, images):
        x = torch.relu(self.bn1(self.conv1(images)))
        return nn.functional.max_pool2d(x, 3, 2, 1)

    def stages(self, x):
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class Lixels(nn.Module):
    def __init__(self, points):
        super().__init__()
        layers = []
        for inputs in (2048, 256, 256):
            layers.append(nn.ConvTranspose2d(inputs, 256, 4, 2, 1, bias=False))
            layers += [nn.BatchNorm2d(256), nn.ReLU()]
        self.deconv = nn.Sequential(*layers)
        self.conv_x = nn.Sequential(nn.Conv1d(256, points, 1))
        self.conv_y = nn.Sequential(nn.Conv1d(256, points, 1))
        self.conv_z_1 = nn.Sequential(
            nn.Conv1d(2048, 256 * D, 1), nn.BatchNorm1d(256 * D), nn.ReLU()
        )
        self.conv_z_2 = nn.Sequential(nn.Conv1d(256, points, 1))

    def forward(self, feature):
        """Heatmaps of x, y, z, each (B, N, D)."""
        up = self.deconv(feature)
        x = self.conv_x(up.mean(dim=2))
        y = self.conv_y(up.mean(dim=3))
        pooled = feature.mean(dim=(2, 3))[:, :, None]
        z = self.conv_z_2(self.conv_z_1(pooled).reshape(-1, 256, D))
        return x, y, z


def expectation(heatmaps):
    """Three heatmaps (B, N, D) to (B, N, 3)."""
    weighted = [(torch.softmax(h, dim=2) * torch.arange(D)).sum(dim=2) for h in heatmaps]
    return torch.stack(weighted, dim=2)


def gaussian_volume(joints):
    """(B, J, 3) -> (B, J * D, D, D): unnormalised, sigma 2.5, layout (J, z, y, x)."""
    z, y, x = torch.meshgrid(*[torch.arange(D).float()] * 3, indexing='ij')
    place = [c[:, :, None, None, None] for c in joints.unbind(dim=2)]
    squared = (x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2
    return torch.exp(-squared / (2 * 2.5**2)).flatten(1, 2)


class ReleasedNetwork(nn.Module):
    def __init__(self, kind):
        super().__init__()
        joints, vertices, posed = SIZES[kind]
        self.pose_backbone = ResNet50()
        self.pose_net = Lixels(joints)
        self.pose2feat = nn.Module()
        self.pose2feat.conv = nn.Sequential(
            nn.Conv2d(64 + joints * D, 64, 3, 1, 1), nn.BatchNorm2d(64), nn.ReLU()
        )
        self.mesh_backbone = ResNet50()  # its conv1 and bn1 are never used
        self.mesh_net = Lixels(vertices)
        regressor = self.param_regressor = nn.Module()
        regressor.fc = nn.Sequential(
            *(nn.Linear(joints * 3, 1024), nn.BatchNorm1d(1024), nn.ReLU()),
            *(nn.Linear(1024, 512), nn.BatchNorm1d(512), nn.ReLU()),
        )
        regressor.fc_pose = nn.Sequential(nn.Linear(512, posed * 6))
        regressor.fc_shape = nn.Sequential(nn.Linear(512, 10))

    def forward(self, images, moved=0.0):
        """RGB / 255 (B, 3, 256, 256) to heatmaps and lixels of joints, and of vertices.

        `moved` lixels are added to the joints before they are drawn.
        """
        stem = self.pose_backbone.stem(images)
        joint_heatmaps = self.pose_net(self.pose_backbone.stages(stem))
        joints = expectation(joint_heatmaps)
        drawn = torch.cat([stem, gaussian_volume(joints + moved)], dim=1)
        feature = self.mesh_backbone.stages(self.pose2feat.conv(drawn))
        heatmaps = self.mesh_net(feature)
        return (joint_heatmaps, joints), (heatmaps, expectation(heatmaps))

    def parameters(self, joints_lixel):
        """Joints of the mesh (B, J, 3) to axis-angle (B, P, 3) and shape (B, 10), by numpy."""
        regressor = self.param_regressor
        hidden = regressor.fc(joints_lixel.reshape(len(joints_lixel), -1))
        columns = regressor.fc_pose(hidden).reshape(-1, 3, 2).double().numpy()
        first = columns[:, :, 0] / np.linalg.norm(columns[:, :, 0], axis=1, keepdims=True)
        along = (first * columns[:, :, 1]).sum(1, keepdims=True)
        second = columns[:, :, 1] - along * first
        second = second / np.linalg.norm(second, axis=1, keepdims=True)
        matrices = np.stack([first, second, np.cross(first, second)], axis=2)
        pose = Rotation.from_matrix(matrices).as_rotvec()
        return pose.reshape(len(joints_lixel), -1, 3), regressor.fc_shape(hidden).numpy()


def random_network(kind, seed=0):
    """The network with random weights and BN statistics, for prediction."""
    torch.manual_seed(seed)
    with torch.device('meta'):
        network = ReleasedNetwork(kind)
    network = network.to_empty(device='cpu').eval()
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                scale = 0.2 if name.endswith('bn3') else 1.0  # else 16 blocks blow numbers up
                module.weight.uniform_(0.5 * scale, 1.5 * scale)
                module.bias.normal_(0, 0.2 * scale)
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2.0)
                module.num_batches_tracked.fill_(int(torch.randint(1, 100, ())))
            elif isinstance(module, nn.ConvTranspose2d):  # every output sees 2 x 2 of 4 x 4 taps
                module.weight.normal_(0, math.sqrt(2 / (4 * module.in_channels)))
            elif isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear)):
                fan_in = module.weight[0].numel()
                last = isinstance(module, nn.Conv1d) and module.in_channels == 256
                sharp = (3 if 'conv_z' in name else 6) if last else 1
                module.weight.normal_(0, sharp * math.sqrt(2 / fan_in))
                if module.bias is not None:
                    module.bias.normal_(0, 0.2)
        # few lixels around a joint are not zero: what is drawn counts as much as the picture
        network.pose2feat.conv[0].weight[:, 64:] *= 4
    return network


def snapshot(network, epoch=12):
    """What the authors' training saves: DataParallel's names, body model, optimizer."""
    state = {f'module.{name}': tensor for name, tensor in network.state_dict().items()}
    state['module.human_model_layer.th_v_template'] = torch.zeros(1, 5, 3)
    state['module.human_model_layer.th_faces'] = torch.zeros(4, 3, dtype=torch.long)
    parameter = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([parameter], 1e-4)
    parameter.grad = torch.ones(3)
    optimizer.step()
    return {'epoch': epoch, 'network': state, 'optimizer': optimizer.state_dict()}
