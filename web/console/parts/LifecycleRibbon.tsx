import { Tooltip } from 'antd'
import { Link } from 'react-router'
import { type LifecycleState, lifecycleName, lifecycleStates } from '../../../contract/lifecycle.ts'
import { compact, percent, whole } from '../../ui/format.ts'
import { useLang } from '../../ui/language.ts'
import { colourOf } from '../../ui/tokens.ts'

type Band = { state: string; persons: number }

/** The life cycle as one ribbon: each band as wide as its share, each a way to its members. Words under it, not colour alone. */
export function LifecycleRibbon({ bands, height = 36 }: { bands: readonly Band[]; height?: number }) {
  const lang = useLang()
  const total = bands.reduce((sum, band) => sum + band.persons, 0)
  const place = (band: Band): number => lifecycleStates.indexOf(band.state as LifecycleState)
  const shown = bands.filter((band) => band.persons > 0).sort((a, b) => place(a) - place(b))
  if (total === 0) return null
  return (
    <div>
      <div style={{ display: 'flex', height, borderRadius: 8, overflow: 'hidden', gap: 2 }}>
        {shown.map((band) => (
          <Tooltip
            key={band.state}
            title={`${nameOf(band.state, lang)} · ${whole(band.persons)} · ${percent(band.persons / total)}`}
          >
            <Link
              to={`/members?lifecycle=${band.state}`}
              aria-label={`${nameOf(band.state, lang)} ${whole(band.persons)}`}
              style={{ flexGrow: band.persons, flexBasis: 6, background: colourOf(band.state) }}
            />
          </Tooltip>
        ))}
      </div>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: '6px 20px', marginTop: 10 }}>
        {shown.map((band) => (
          <Link
            key={band.state}
            to={`/members?lifecycle=${band.state}`}
            style={{ color: 'inherit', display: 'inline-flex', gap: 6, alignItems: 'center' }}
          >
            <span style={{ width: 10, height: 10, borderRadius: 3, background: colourOf(band.state) }} />
            <span style={{ opacity: 0.75 }}>{nameOf(band.state, lang)}</span>
            <b title={whole(band.persons)}>{compact(band.persons, lang)}</b>
            <span style={{ opacity: 0.75 }}>{percent(band.persons / total)}</span>
          </Link>
        ))}
      </div>
    </div>
  )
}

function nameOf(state: string, lang: 'zh' | 'en'): string {
  return lifecycleName(state as LifecycleState, lang)
}
