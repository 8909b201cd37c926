-- The keys of some agents' hashes.
select agent, encode(secret, 'hex') as secret
from :"schema".agent_secrets
where agent = any ($1)
