import { unstableSetRender } from 'antd-mobile'
import { createRoot } from 'react-dom/client'
import '../ui/base.css'
import './workbench.css'
import { Workbench } from './Workbench.tsx'

// Notices, sheets and alerts are drawn outside the tree; antd-mobile 5 knows only how React 18 did that.
unstableSetRender((node, container) => {
  const outside = createRoot(container)
  outside.render(node)
  return async () => {
    await Promise.resolve()
    outside.unmount()
  }
})

const root = document.getElementById('root')
if (root) createRoot(root).render(<Workbench />)
