"""Services made of scripts and playbooks. So far what is kept for them: the vault password."""
