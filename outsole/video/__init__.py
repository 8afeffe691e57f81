"""From frames to shoes: sources of frames with their times, finding and grading of shoes, and tracks."""
