// Loaded on every page: registers the service worker, if the browser allows one.

if (window.isSecureContext && "serviceWorker" in navigator) {
  navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => {
    // Without it, everything works except offline use.
  });
}
