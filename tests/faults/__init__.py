"""The program where its surroundings fail: killed processes, full disks, bad sectors, closed streams, odd paths."""
