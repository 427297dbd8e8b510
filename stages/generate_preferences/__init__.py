"""Let the teacher criticise and revise answers by the constitution; make preference pairs."""
