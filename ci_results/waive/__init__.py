"""Waivers: who may ask, approve, reject, withdraw; what one covers; when it counts. Pure."""
