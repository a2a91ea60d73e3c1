"""What pytest finds by itself wherever toastkit is installed."""
