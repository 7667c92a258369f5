import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Card, Col, Empty, Row, Table, Tag, Typography } from 'antd'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { type JourneyTemplate, journeyTemplates } from '../../../../contract/journeys.ts'
import { api } from '../../../client.ts'
import { whole } from '../../../ui/format.ts'
import { journeyStateColours, journeyStateWords, templateWords } from '../../../ui/journey-words.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { NewJourney } from './NewJourney.tsx'

const words = {
  title: { zh: 'SOP', en: 'SOPs' },
  answer: {
    zh: '{live} 个 SOP 运行中，{active} 人在途；今天 {touches} 次触达、{tasks} 个导购任务。',
    en: '{live} SOPs are live with {active} persons in them; {touches} touches and {tasks} guide tasks today.',
  },
  none: {
    zh: '还没有 SOP。选一个模板，先看清会联系谁、何时、花多少，再上线。',
    en: 'No SOP yet. Choose a template, see whom it reaches, when and at what cost, then put it live.',
  },
  new: { zh: '新建 SOP', en: 'New SOP' },
  name: { zh: '名称', en: 'Name' },
  state: { zh: '状态', en: 'State' },
  entry: { zh: '谁会进入', en: 'Who enters' },
  goal: { zh: '目标', en: 'Goal' },
  enrolled: { zh: '累计进入', en: 'Entered' },
  active: { zh: '在途', en: 'In it' },
  finished: { zh: '走完', en: 'Finished' },
  today: { zh: '今日触达 / 任务', en: 'Touches / tasks today' },
  templates: { zh: '模板', en: 'Templates' },
  use: { zh: '用这个模板', en: 'Use it' },
}

/** Every SOP and what it does today; templates to begin with. */
export function Journeys() {
  const t = useWords(words)
  const lang = useLang()
  const navigate = useNavigate()
  const [params, setParams] = useSearchParams()
  const query = useQuery(api.journeys.list.queryOptions({ refetchInterval: 10_000 }))
  const wanted = params.get('new')
  const template = journeyTemplates.find((each) => each === wanted)
  const open = (which: JourneyTemplate): void => setParams({ new: which })
  return (
    <Loaded query={query}>
      {({ items }) => {
        const live = items.filter((item) => item.state === 'live')
        const sum = (of: 'active' | 'touchesToday' | 'tasksToday'): string =>
          whole(live.reduce((total, item) => total + item[of], 0))
        return (
          <>
            <Answer
              title={t('title')}
              actions={
                <Button type="primary" icon={<PlusOutlined />} onClick={() => open('wake_sleeping')}>
                  {t('new')}
                </Button>
              }
            >
              {items.length === 0
                ? t('none')
                : t('answer', {
                    live: live.length,
                    active: sum('active'),
                    touches: sum('touchesToday'),
                    tasks: sum('tasksToday'),
                  })}
            </Answer>
            {items.length === 0 ? null : (
              <Table
                rowKey="id"
                pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
                scroll={{ x: 1040 }}
                dataSource={[...items]}
                locale={{ emptyText: <Empty /> }}
                onRow={(row) => ({ onDoubleClick: () => void navigate(`/journeys/${row.id}`) })}
                columns={[
                  {
                    title: t('name'),
                    width: 220,
                    render: (_, row) => <Link to={`/journeys/${row.id}`}>{row.name}</Link>,
                  },
                  {
                    title: t('state'),
                    width: 90,
                    render: (_, row) => (
                      <Tag color={journeyStateColours[row.state]}>{journeyStateWords[row.state][lang]}</Tag>
                    ),
                  },
                  { title: t('entry'), render: (_, row) => row.entry[lang] },
                  { title: t('goal'), render: (_, row) => row.goal[lang] },
                  { title: t('enrolled'), width: 100, dataIndex: 'enrolled', align: 'right', render: whole },
                  { title: t('active'), width: 80, dataIndex: 'active', align: 'right', render: whole },
                  { title: t('finished'), width: 80, dataIndex: 'finished', align: 'right', render: whole },
                  {
                    title: t('today'),
                    align: 'right',
                    width: 140,
                    render: (_, row) => `${whole(row.touchesToday)} / ${whole(row.tasksToday)}`,
                  },
                ]}
              />
            )}
            <Typography.Title level={4} style={{ marginTop: 24 }}>
              {t('templates')}
            </Typography.Title>
            <Row gutter={[12, 12]}>
              {journeyTemplates.map((each) => (
                <Col xs={24} md={8} key={each}>
                  <Card
                    title={templateWords[each].name[lang]}
                    extra={
                      <Button size="small" onClick={() => open(each)}>
                        {t('use')}
                      </Button>
                    }
                    style={{ height: '100%' }}
                  >
                    {templateWords[each].says[lang]}
                  </Card>
                </Col>
              ))}
            </Row>
            {template ? (
              <NewJourney template={template} segment={params.get('segment')} onClose={() => setParams({})} />
            ) : null}
          </>
        )
      }}
    </Loaded>
  )
}
