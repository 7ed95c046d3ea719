"""The models a job can start from, brought into one form."""
