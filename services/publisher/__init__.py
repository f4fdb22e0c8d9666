"""The platform's writes: claims publications, walks them through the platform's steps, writes what came of it."""
