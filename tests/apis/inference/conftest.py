"""The command line, run in a folder with a mesh network, pictures and a video."""

import sys

import cv2
import pytest
import torch
from helpers_inference import noise_picture, tiny_network

from i2l_plugin.apis.inference import cli
from i2l_plugin.apis.inference.video import VideoWriter


@pytest.fixture(scope='module')
def cli_files(tmp_path_factory):
    """A folder with a mesh network, pictures and a video."""
    folder = tmp_path_factory.mktemp('cli')
    network = tiny_network(folder)
    network.cfg.dump(folder / 'config.py')
    torch.save({'state_dict': network.state_dict()}, folder / 'mesh.pth')
    (folder / 'pictures').mkdir()
    (folder / 'empty').mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f'pictures/{i}.png'), noise_picture(i))
    (folder / 'pictures/1.png').write_bytes(b'junk')
    with VideoWriter(folder / 'clip.mp4', 10) as video:
        for i in range(3):
            video.write(noise_picture(i, (64, 48)))
    return folder


@pytest.fixture
def run_cli(cli_files, monkeypatch, capsys):
    """Run the command in `cli_files` with the network's options. -> status, output, errors."""

    def run_command(*arguments):
        monkeypatch.chdir(cli_files)
        network = ('--config', 'config.py', '--checkpoint', 'mesh.pth', '--device', 'cpu')
        monkeypatch.setattr(sys, 'argv', ['i2l-mesh', *network, *map(str, arguments)])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_command
