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

export const series = ['#0f766e', '#e0a72e', '#3b6fb6', '#c0662c', '#7a5195', '#5aae61', '#8c2d4f', '#697887']

/** Ant Design's own names for our tokens. */
export function antTokens(dark: boolean) {
  return {
    colorPrimary: dark ? '#2dd4bf' : accent,
    colorInfo: dark ? '#2dd4bf' : accent,
    borderRadius: 8,
    fontSize: 14,
    fontFamily,
    ...(dark
      ? {}
      : {
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

/** The navigation: one accent, and a selected room that does not shout. */
export function menuTokens(dark: boolean) {
  return dark
    ? {}
    : { itemSelectedBg: 'rgba(15, 118, 110, 0.1)', itemSelectedColor: accent, subMenuItemBg: 'transparent' }
}
