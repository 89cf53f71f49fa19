// Keeps the screen on while the evening's page is open and seen; where that is not possible, nothing happens.
async function stayAwake() {
  if (document.visibilityState !== 'visible') return
  try {
    await navigator.wakeLock?.request('screen')
  } catch {
    // Low battery, or not allowed: the screen may go dark, the page is the same afterwards.
  }
}

document.addEventListener('visibilitychange', stayAwake)
stayAwake()
