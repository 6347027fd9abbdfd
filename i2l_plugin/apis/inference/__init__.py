"""From pictures, folders, videos and cameras to meshes: what `MeshInferencer` is made of.

In the order in which a picture goes through it::

    inputs, video_reader, frames    what a user names -> frames, one at a time
    scene_maker                     frame -> scene: people with boxes before a camera
        boxes, detection            given, the whole image, or MMDetection's
        cameras, camera_files, exif given, field of view, EXIF, or 1500 px
    estimation                      scenes -> scenes with meshes, people in batches
        root_depth                  given, RootNet, or the box's size
        crops, runtimes             the config's pipeline and network
    sequences                       people of videos: numbers, smoothing
        tracking, smoothing, one_euro, savgol
    results, result_files           what is told and written of each picture
        json_stream, steady_video, video, window

``loading`` makes networks, ``functions`` is all of it for one picture without the class, and
``cli`` the command line.
"""
