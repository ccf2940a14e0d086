"""What a worker does with a job of the broker; knows no database."""
