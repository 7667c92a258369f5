import { useMutation } from '@tanstack/react-query'
import { ActionSheet, Button, Dialog, Popup, Selector, Tag, TextArea, Toast } from 'antd-mobile'
import { useState } from 'react'
import { type LifecycleState, lifecycleName } from '../../contract/lifecycle.ts'
import type { Task } from '../../contract/tasks.ts'
import { api, client, type Fault, faultOf } from '../client.ts'
import { date, minute, money } from '../ui/format.ts'
import { useLang, useWords } from '../ui/language.ts'
import { problemWords } from '../ui/problem-words.ts'
import { outcomeWords, taskKindWords } from '../ui/task-words.ts'

const words = {
  copy: { zh: '复制话术', en: 'Copy the script' },
  copied: { zh: '已复制，去企业微信粘贴发送', en: 'Copied: paste it in WeCom' },
  done: { zh: '完成', en: 'Done' },
  due: { zh: '{at} 前', en: 'by {at}' },
  late: { zh: '已逾期', en: 'late' },
  bought: { zh: '买过 {n} 次 · {money}', en: '{n} purchases · {money}' },
  never: { zh: '还没买过', en: 'never bought' },
  last: { zh: '上次 {at}', en: 'last {at}' },
  how: { zh: '结果怎么样？', en: 'How did it go?' },
  feedback: { zh: '会员怎么说？', en: 'What did the member say?' },
  feedbackNeeded: { zh: '这位会员请务必写反馈', en: 'Feedback is needed for this member' },
  save: { zh: '保存', en: 'Save' },
  undo: { zh: '撤销', en: 'Undo' },
  undone: { zh: '已撤销', en: 'Taken back' },
  saved: { zh: '完成了', en: 'Done' },
  confirm: {
    zh: '打开企业微信，在群发助手里点“发送”。发出后这里会自动完成。',
    en: 'Open WeCom and press send in the mass message assistant; this ends by itself.',
  },
  members: { zh: '发给 {n} 位会员', en: 'to {n} members' },
  chooseTag: { zh: '选一个标签', en: 'Choose a tag' },
}
const offered = ['sent', 'called', 'will_come', 'not_interested', 'no_answer'] as const

type Props = { task: Task; zone: string; currency: string | undefined; onChanged: () => void }

/** One task: who, why, what to say, one button. */
export function TaskCard({ task, zone, currency, onChanged }: Props) {
  const t = useWords(words)
  const lang = useLang()
  const [ending, setEnding] = useState(false)
  const late = task.state === 'late'
  return (
    <section className={late ? 'task late' : 'task'} aria-label={task.title[lang]}>
      <div className="task-head">
        <b>{task.member?.name ?? task.title[lang]}</b>
        <Tag color="primary" fill="outline">
          {taskKindWords[task.kind][lang]}
        </Tag>
      </div>
      <div className="quiet">
        {task.member?.name ? `${task.title[lang]} · ${task.reason[lang]}` : task.reason[lang]}
      </div>
      {task.member ? <Facts member={task.member} zone={zone} currency={currency} /> : null}
      {task.kind === 'broadcast' ? (
        <p className="quiet">
          {t('members', { n: task.members })}。{t('confirm')}
        </p>
      ) : null}
      {task.script ? (
        <div className="script" translate="no">
          {task.script}
        </div>
      ) : null}
      <div style={{ display: 'flex', gap: 8, alignItems: 'center' }}>
        <span className={late ? 'late-word' : 'quiet'} style={{ flex: 1 }}>
          {late ? t('late') : t('due', { at: minute(task.dueAt, zone).slice(5) })}
        </span>
        {task.script ? (
          <Button onClick={() => void copy(task.script ?? '', t('copied'))}>{t('copy')}</Button>
        ) : null}
        {task.kind === 'broadcast' ? null : (
          <Button color="primary" onClick={() => setEnding(true)}>
            {t('done')}
          </Button>
        )}
      </div>
      {ending ? <Ending task={task} onClose={() => setEnding(false)} onChanged={onChanged} /> : null}
    </section>
  )
}

function Facts({
  member,
  zone,
  currency,
}: {
  member: NonNullable<Task['member']>
  zone: string
  currency: string | undefined
}) {
  const t = useWords(words)
  const lang = useLang()
  return (
    <div className="facts quiet">
      {member.lifecycle ? <span>{lifecycleName(member.lifecycle as LifecycleState, lang)}</span> : null}
      <span>
        {member.purchases === 0
          ? t('never')
          : t('bought', { n: member.purchases, money: money(member.spentCents, currency) })}
      </span>
      {member.lastPurchaseAt ? <span>{t('last', { at: date(member.lastPurchaseAt, zone) })}</span> : null}
      {member.lastItems.length > 0 ? <span>{member.lastItems.slice(0, 2).join('、')}</span> : null}
      {member.tags.slice(0, 3).map((tag) => (
        <Tag key={tag}>{tag}</Tag>
      ))}
    </div>
  )
}

/** The outcome, and feedback where it is asked for; ten minutes to take it back. */
function Ending({ task, onClose, onChanged }: { task: Task; onClose: () => void; onChanged: () => void }) {
  const t = useWords(words)
  const say = useWords(problemWords)
  const lang = useLang()
  const [outcome, setOutcome] = useState<(typeof offered)[number] | 'tagged'>(
    task.kind === 'tag' ? 'tagged' : 'sent',
  )
  const [feedback, setFeedback] = useState('')
  const [tagId, setTagId] = useState<number>()
  const finish = useMutation(
    api.tasks.finish.mutationOptions({
      onSuccess: () => {
        onClose()
        onChanged()
        if (!task.undoable) Toast.show({ icon: 'success', content: t('saved') })
        else
          offerUndo(
            task.id,
            { saved: t('saved'), undo: t('undo'), undone: t('undone'), fault: say },
            onChanged,
          )
      },
      onError: (error: unknown) => void Toast.show({ icon: 'fail', content: say(faultOf(error).code) }),
    }),
  )
  const missing =
    (task.feedbackNeeded && feedback.trim() === '') || (task.kind === 'tag' && tagId === undefined)
  return (
    <Popup
      visible
      onMaskClick={onClose}
      bodyStyle={{ borderTopLeftRadius: 16, borderTopRightRadius: 16, padding: 20, boxSizing: 'border-box' }}
    >
      {task.tag ? (
        <>
          <h3 style={{ marginTop: 0 }}>{t('chooseTag')}</h3>
          <Selector
            options={task.tag.options.map((option) => ({ value: option.tagId, label: option.name }))}
            onChange={([chosen]) => setTagId(chosen)}
          />
        </>
      ) : (
        <>
          <h3 style={{ marginTop: 0 }}>{t('how')}</h3>
          <Selector
            value={[outcome]}
            options={offered.map((each) => ({ value: each, label: outcomeWords[each]?.[lang] ?? each }))}
            onChange={([chosen]) => chosen && setOutcome(chosen)}
          />
        </>
      )}
      <label className="quiet" htmlFor="feedback" style={{ display: 'block', margin: '12px 0 6px' }}>
        {t(task.feedbackNeeded ? 'feedbackNeeded' : 'feedback')}
      </label>
      <TextArea
        id="feedback"
        rows={2}
        maxLength={500}
        value={feedback}
        onChange={setFeedback}
        style={{ background: '#f3f6f7', borderRadius: 8, padding: 8 }}
      />
      <Button
        block
        color="primary"
        size="large"
        style={{ marginTop: 16 }}
        disabled={missing}
        loading={finish.isPending}
        onClick={() =>
          finish.mutate({
            id: task.id,
            outcome,
            ...(feedback.trim() ? { feedback: feedback.trim() } : {}),
            ...(tagId === undefined ? {} : { tagId }),
          })
        }
      >
        {t('save')}
      </Button>
    </Popup>
  )
}

async function copy(text: string, said: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    Toast.show({ icon: 'success', content: said })
  } catch {
    await Dialog.alert({ content: text })
  }
}

function offerUndo(
  id: string,
  say: { saved: string; undo: string; undone: string; fault: (code: Fault['code']) => string },
  onChanged: () => void,
): void {
  const sheet = ActionSheet.show({
    extra: say.saved,
    actions: [
      {
        key: 'undo',
        text: say.undo,
        onClick: () =>
          void client.tasks
            .undo({ id })
            .then(
              () => Toast.show(say.undone),
              (error: unknown) => Toast.show({ icon: 'fail', content: say.fault(faultOf(error).code) }),
            )
            .finally(onChanged),
      },
    ],
    closeOnAction: true,
  })
  setTimeout(() => sheet.close(), 4000)
}
