import { Modal } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { useLang, useWords } from '../../ui/language.ts'
import { isTyping } from './typing.ts'

const words = { title: { zh: '键盘快捷键', en: 'Keyboard shortcuts' } }
const shortcuts = [
  ['/', { zh: '搜索会员', en: 'Find a member' }],
  ['g h', { zh: '总览', en: 'Home' }],
  ['g m', { zh: '会员', en: 'Members' }],
  ['g s', { zh: '人群', en: 'Segments' }],
  ['g j', { zh: 'SOP', en: 'SOPs' }],
  ['?', { zh: '显示本列表', en: 'This list' }],
] as const
const goals: Readonly<Record<string, string>> = { h: '/', m: '/members', s: '/segments', j: '/journeys' }

/** Two keys lead to a room; `?` shows which. */
export function Shortcuts() {
  const t = useWords(words)
  const lang = useLang()
  const [open, setOpen] = useState(false)
  const navigate = useNavigate()
  const before = useRef('')
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey) return
      const goal = goals[event.key]
      if (event.key === '?') setOpen(true)
      else if (before.current === 'g' && goal) void navigate(goal)
      before.current = event.key
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [navigate])
  return (
    <Modal open={open} onCancel={() => setOpen(false)} footer={null} title={t('title')}>
      {shortcuts.map(([keys, says]) => (
        <p key={keys} style={{ display: 'flex', gap: 16 }}>
          <kbd style={{ width: 48 }}>{keys}</kbd>
          {says[lang]}
        </p>
      ))}
    </Modal>
  )
}
