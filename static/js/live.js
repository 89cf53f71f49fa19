// Hears by a stream that the room changed, and asks what it is now. Where no stream comes through it asks every few
// seconds; after sleep, a tunnel or a restart it asks at once and goes on from the version it knows.
const ASK_MS = 3000
const SOON_MS = 1000
// The server repeats itself every 15 seconds, and is answered by a sign of life.
const SILENT_MS = 25_000
const SIGN_MS = 10_000
const AGAIN_MS = 10_000

const asking = () => document.getElementById('asking')
const shown = () => Number(asking()?.dataset.version)

const url = asking().dataset.live
let known = shown()
let stream = null
let begunAt = 0
let heardAt = 0
let signedAt = 0
let here = ''
let lost = false
let busy = false
let again = false
let failed = false
let askedAt = 0
let timer = 0

function ask() {
  again = busy
  const source = asking()
  if (busy || !source) return
  busy = true
  askedAt = Date.now()
  // That it failed is heard below.
  window.htmx.ajax('GET', source.dataset.now, { source, swap: 'none' })?.catch(() => {})
}

document.body.addEventListener('htmx:afterRequest', ({ detail }) => {
  if (!detail.pathInfo.requestPath.includes('/room/now/')) return
  busy = false
  failed = !detail.successful
  // Not mine any longer, or over: the page itself says so.
  if (detail.xhr.status >= 400 && detail.xhr.status < 500) return location.reload()
  known = Math.max(known, shown() || 0)
  if (again && !failed) ask()
  // A server that is slow is asked less.
  wait(Math.max(failed ? SOON_MS : ASK_MS, 4 * (Date.now() - askedAt)))
})

function wait(milliseconds) {
  clearTimeout(timer)
  timer = setTimeout(tick, milliseconds)
}

function tick() {
  const silent = Date.now() - heardAt > SILENT_MS
  if (!silent && !failed && !lost) return wait(ASK_MS)
  const stuck = stream.readyState === EventSource.CLOSED || silent
  if (stuck && Date.now() - begunAt > AGAIN_MS) begin()
  ask()
}

function begin() {
  stream?.close()
  begunAt = Date.now()
  stream = new EventSource(url)
  stream.addEventListener('here', (event) => { here = event.data })
  stream.onmessage = (event) => hear(Number(event.data))
  stream.onerror = () => {
    lost = true
    wait(SOON_MS + Math.random() * SOON_MS)
  }
}

function hear(version) {
  const back = lost
  heardAt = Date.now()
  lost = false
  if (back || version > known) {
    known = version
    ask()
  }
  if (here && heardAt - signedAt > SIGN_MS) sign()
}

async function sign() {
  signedAt = Date.now()
  try {
    await fetch(`${url}?here=${here}`, { signal: AbortSignal.timeout(4000) })
  } catch {
    wake()
  }
}

function wake() {
  lost = true
  begin()
  ask()
}

addEventListener('online', wake)
addEventListener('pageshow', (event) => event.persisted && wake())
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && Date.now() - heardAt > SILENT_MS) wake()
})
begin()
wait(ASK_MS)
