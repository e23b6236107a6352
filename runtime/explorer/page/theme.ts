import { h } from './dom.ts'

const THEMES = ['auto', 'light', 'dark'] as const

type Theme = (typeof THEMES)[number]

const KEY = 'lexidex-theme'

/** As it was chosen before, on pages of this origin. */
export function applyTheme(theme: Theme = stored()): Theme {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  return theme
}

/** A button that goes through the themes. */
export function themeButton(): HTMLElement {
  let theme = applyTheme()
  const label = h('span')
  const button = h(
    'button',
    {
      type: 'button',
      class: 'quiet-button',
      on: {
        click() {
          theme = applyTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!)
          store(theme)
          show()
        },
      },
    },
    label,
  )
  const show = () => {
    label.textContent = { auto: '◐ Auto', light: '○ Light', dark: '● Dark' }[theme]
    button.setAttribute('aria-label', `Theme: ${theme}. Change`)
  }
  show()
  return button
}

// Storage is refused in some frames and settings; the theme is then that of this visit.
function stored(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'auto'
  } catch {
    return 'auto'
  }
}

function store(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // As above.
  }
}
