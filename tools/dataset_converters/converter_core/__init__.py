"""What the data set converters share: reading, collecting people, fit errors, options, progress."""
