import { createRoot } from 'react-dom/client'
import '../ui/base.css'
import { App } from './app/App.tsx'

const root = document.getElementById('root')
if (root) createRoot(root).render(<App />)
