"""pyttsx3 drivers that voiceflow adds: ``hibari``, ``piper`` and, for tests, ``faulty``."""
