// A button that acts when held, so that a brush of the hand moves nothing. Touch and mouse: hold for 600 ms.
// Keyboard: hold Enter or Space, or press twice within three seconds. Without this script: an ordinary button.
// Listens on the document, so that buttons which htmx brings later work too.
const HOLD_MS = 600
const AGAIN_MS = 3000
const MARK = 'button[data-hold]'

let held = null
let timer = 0
let armed = null
let armedAt = 0

function begin(button) {
  if (held || button.disabled) return
  held = button
  button.classList.add('holding')
  timer = setTimeout(() => act(button), HOLD_MS)
}

function release() {
  clearTimeout(timer)
  held?.classList.remove('holding')
  held = null
}

function act(button) {
  release()
  armed = null
  if (!button.isConnected) return
  button.form?.requestSubmit(button)
}

function pressAgain(button) {
  const second = armed === button && Date.now() - armedAt < AGAIN_MS
  armed = button
  armedAt = Date.now()
  if (second) act(button)
}

const find = (event) => event.target.closest?.(MARK)
const isPress = (event) => event.key === 'Enter' || event.key === ' '

document.addEventListener('pointerdown', (event) => {
  const button = find(event)
  if (button && event.isPrimary && event.button === 0) begin(button)
})
for (const name of ['pointerup', 'pointercancel']) document.addEventListener(name, release)
document.addEventListener('pointerout', (event) => find(event) && release())
document.addEventListener('contextmenu', (event) => held && event.preventDefault())

document.addEventListener('keydown', (event) => {
  const button = find(event)
  if (!button || !isPress(event)) return
  event.preventDefault()
  if (!event.repeat) begin(button)
})
document.addEventListener('keyup', (event) => {
  const button = find(event)
  if (!button || !isPress(event)) return
  event.preventDefault()
  if (held === button) {
    release()
    pressAgain(button)
  }
})

// A pointer's click alone does nothing. A click without pointer or key comes from an assistive tool: it acts.
document.addEventListener('click', (event) => {
  const button = find(event)
  if (button && event.detail > 0) event.preventDefault()
}, true)
