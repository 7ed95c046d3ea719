"""The job folder: what is asked, what is reported, and the process that does it."""
