// The wall clock of the group's zone and the thin line: they change once a minute, at the minute.
const clocks = document.querySelectorAll('[data-clock]')

function time(zone) {
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
  try {
    return new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone }).format()
  } catch {
    return new Intl.DateTimeFormat('en-GB', options).format()
  }
}

function tick() {
  for (const clock of clocks) {
    clock.textContent = time(clock.dataset.zone)
  }
  for (const line of document.querySelectorAll('[data-begins]')) {
    line.value = Math.floor((Date.now() - line.dataset.begins) / 60_000)
  }
  setTimeout(tick, 60_000 - (Date.now() % 60_000))
}

if (clocks.length) tick()
