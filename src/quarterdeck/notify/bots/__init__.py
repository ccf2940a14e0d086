"""Chat bots: their registrations, which chats they speak in, and what they say there."""
