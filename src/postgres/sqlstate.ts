/** The SQLSTATEs that Tidemark tells apart, by PostgreSQL's own names (appendix A of its manual). */
export const SqlState = {
  notNullViolation: "23502",
  uniqueViolation: "23505",
  checkViolation: "23514",
  deadlockDetected: "40P01",
  serializationFailure: "40001",
  lockNotAvailable: "55P03",
  queryCanceled: "57014",
  adminShutdown: "57P01",
  crashShutdown: "57P02",
  cannotConnectNow: "57P03",
  databaseDropped: "57P04",
  idleSessionTimeout: "57P05",
  idleInTransactionSessionTimeout: "25P03",
  inFailedSqlTransaction: "25P02",
  tooManyConnections: "53300",
  diskFull: "53100",
  readOnlySqlTransaction: "25006",
  insufficientPrivilege: "42501",
  invalidCatalogName: "3D000",
  invalidSchemaName: "3F000",
  undefinedTable: "42P01",
  invalidStatementName: "26000",
  duplicateStatement: "42P05",
  featureNotSupported: "0A000",
  dependentObjectsStillExist: "2BP01"
} as const

/** Classes of SQLSTATEs: their first two characters. */
export const SqlStateClass = {
  connectionException: "08",
  dataException: "22",
  invalidAuthorization: "28",
  insufficientResources: "53",
  operatorIntervention: "57",
  systemError: "58",
  internalError: "XX"
} as const

/** Tidemark's own SQLSTATEs, raised by the functions and guards in schema/. */
export const OwnSqlState = {
  immutable: "TM001",
  versionConflict: "TM002",
  snapshotDoesNotMove: "TM003",
  categoryHasOtherClass: "TM004",
  duplicateEvent: "TM005",
  malformedEvent: "TM006",
  replicaBehind: "TM007",
  patchFailed: "TM008",
  unknownBranch: "TM009",
  unknownCheckpoint: "TM010",
  checkpointExpired: "TM011",
  statesBehind: "TM012",
  stateDamaged: "TM013",
  eventTooLarge: "TM014"
} as const
