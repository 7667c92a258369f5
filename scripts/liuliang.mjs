#!/usr/bin/env node
import { runProgram } from './program.mjs'

runProgram(process.argv.slice(2))
