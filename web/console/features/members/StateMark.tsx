import { type LifecycleState, lifecycleName } from '../../../../contract/lifecycle.ts'
import { useLang } from '../../../ui/language.ts'
import { colourOf } from '../../../ui/tokens.ts'

/** A state of the life cycle in words, with its colour beside them. */
export function StateMark({ state }: { state: string }) {
  const lang = useLang()
  return (
    <span style={{ display: 'inline-flex', gap: 6, alignItems: 'center' }}>
      <span style={{ width: 9, height: 9, flex: 'none', borderRadius: 3, background: colourOf(state) }} />
      {lifecycleName(state as LifecycleState, lang)}
    </span>
  )
}
