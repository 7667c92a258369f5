/** The look in one file: colours, type and sizes for the console, the workbench and the charts. */
import { type LifecycleState, lifecycleStates } from '../../contract/lifecycle.ts'

export const accent = '#0f766e'
export const fontFamily =
  "'PingFang SC', 'Noto Sans SC', 'Microsoft YaHei', system-ui, -apple-system, 'Segoe UI', sans-serif"

/** An ordered ramp from alive to lost, told apart also by the colour-blind; never bought stands apart in grey. */
export const lifecycleColours: Readonly<Record<LifecycleState, string>> = {
  active: '#0f766e',
  silent: '#5aae61',
  near_sleep: '#e0a72e',
  hibernating: '#c0662c',
  lost: '#8c2d4f',
  never_1: '#b8c4ce',
  never_2: '#a3b1bd',
  never_3: '#8f9eab',
  never_4: '#7c8b99',
  never_5: '#697887',
  never_undated: '#d3dbe2',
}

/** The colour of a state that arrives as text. */
export function colourOf(state: string): string {
  return (lifecycleStates as readonly string[]).includes(state)
    ? lifecycleColours[state as LifecycleState]
    : '#9aa7b2'
}

/** Text on the colour of a state that can be read: white on the two darkest, else nearly black. */
export function inkOn(state: LifecycleState): string {
  return state === 'active' || state === 'lost' ? '#fff' : '#0b1114'
}

export const series = ['#0f766e', '#e0a72e', '#3b6fb6', '#c0662c', '#7a5195', '#5aae61', '#8c2d4f', '#697887']

/** Text of coloured tags on their pale grounds; the palette is named with and without a dash. */
const tagInks = Object.fromEntries(
  Object.entries({
    gold: '#8a5a00',
    green: '#166534',
    cyan: '#0b6477',
    orange: '#a63c06',
    blue: '#1d4ed8',
  }).flatMap(([name, ink]) => [
    [`${name}7`, ink],
    [`${name}-7`, ink],
  ]),
)

/** Ant Design's own names for our tokens. */
export function antTokens(dark: boolean) {
  return {
    colorPrimary: dark ? '#2dd4bf' : accent,
    colorInfo: dark ? '#2dd4bf' : accent,
    borderRadius: 8,
    fontSize: 14,
    fontFamily,
    // Switched off where it is made: what waits for the end of a motion that CSS cut short would never appear.
    motion: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
    ...(dark
      ? {
          colorTextTertiary: 'rgba(255, 255, 255, 0.65)',
          colorTextQuaternary: 'rgba(255, 255, 255, 0.6)',
          colorError: '#ff6b66',
        }
      : {
          // Each at least 4.5 : 1 on its ground, tags on their pale ones included.
          colorTextTertiary: 'rgba(24, 37, 45, 0.68)',
          colorTextQuaternary: 'rgba(24, 37, 45, 0.66)',
          colorSuccess: '#15803d',
          colorSuccessBg: '#effaf2',
          colorSuccessBorder: '#b9e3c6',
          colorWarning: '#a65b00',
          colorWarningBg: '#fff7e6',
          colorWarningBorder: '#f2d391',
          colorError: '#b3261e',
          colorErrorBg: '#fdf1f0',
          colorErrorBorder: '#f1c5c1',
          colorInfoBg: '#e2f1ee',
          colorInfoBorder: '#8cc7bd',
          ...tagInks,
          colorBgLayout: '#f6f8f9',
          colorTextBase: '#18252d',
          // What is derived from so dark an accent is grey.
          colorPrimaryBg: '#e2f1ee',
          colorPrimaryBgHover: '#cfe7e2',
          colorPrimaryBorder: '#8cc7bd',
          colorPrimaryBorderHover: '#5fb0a3',
          controlItemBgActive: '#e2f1ee',
          controlItemBgActiveHover: '#cfe7e2',
        }),
  }
}

/** Ant Design's own names for what single components of ours need. */
export function componentTokens(dark: boolean) {
  return {
    // One accent, and a selected room that does not shout.
    Menu: dark
      ? {
          itemSelectedBg: 'rgba(45, 212, 191, 0.16)',
          itemSelectedColor: '#5eead4',
          subMenuItemBg: 'transparent',
        }
      : {
          itemSelectedBg: 'rgba(15, 118, 110, 0.1)',
          itemSelectedColor: accent,
          subMenuItemBg: 'transparent',
        },
    // White on the bright accent of the dark could not be read.
    Button: dark ? { primaryColor: '#04231f' } : {},
  }
}
