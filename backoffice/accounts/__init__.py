"""People and programs: accounts, roles, API keys, and the pages and operations about them.

models, scope                    accounts and keys, and what a key limits
roles, role_groups, granting     the ready roles, their groups, and who may give what
keys, auth                       keys that work, and all ways to authenticate at the API
admin, user_forms, keys_admin, sessions_admin, preferences      pages
api, people_api, keys_api, sessions_api                         operations: tokens, and one's own account
sign_in_pages                    the log-in page beside the password: second_factor/, oidc/, password_reset/
audit                            what the audit trail records of all this
"""
