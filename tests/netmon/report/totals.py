"""The totals of a printed report, as a file of totals says them."""

TOTALS = """\
table,column,value
connection,Glasfaser,66
connection,Richtfunk,14
connection,ab 100 Mbit,93
connection,25 bis 50 Mbit,5
coverage,LAN flächendeckend,140
coverage,LAN partiell,20
coverage,WLAN flächendeckend,157
coverage,WLAN partiell,9
"""
