import { agents } from "./agents/agents.ts"
import { alertRules } from "./alert-rules/alert-rules.ts"
import { alerts } from "./alerts/alerts.ts"
import { communications } from "./communications/communications.ts"
import { conversations } from "./conversations/conversations.ts"
import { heartbeats } from "./heartbeats/heartbeats.ts"
import { help } from "./help/help.ts"
import { links } from "./links/links.ts"
import { metricRollups } from "./metric-rollups/metric-rollups.ts"
import { metrics } from "./metrics/metrics.ts"
import { sessions } from "./sessions/sessions.ts"
import { states } from "./states/states.ts"
import { systemEvents } from "./system-events/system-events.ts"
import { systemState } from "./system-state/system-state.ts"
import { vitals } from "./vitals/vitals.ts"

/** The read models that every engine has, by name. */
export const builtIn = {
  agents,
  alert_rules: alertRules,
  alerts,
  communications,
  conversations,
  heartbeats,
  help,
  links,
  metric_rollups: metricRollups,
  metrics,
  sessions,
  states,
  system_events: systemEvents,
  system_state: systemState,
  vitals
} as const
