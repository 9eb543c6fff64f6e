// Runs before the first paint, so a person who chose a theme never sees the other one flash by.
;(function () {
  try {
    var theme = localStorage.getItem('atum.theme')
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
  } catch {
    // Storage may be forbidden; the system's theme then holds.
  }
})()
