#!/usr/bin/env node
import { runProgram } from './program.mjs'

runProgram(['start', ...process.argv.slice(2)])
